"""Local stand-ins for the providers: real answers chosen by the credential, hostile ones too, and evidence of what arrived."""
