"""WHO: users, organizations, memberships, API keys, the audit trail, and the one door to an organization's data."""
