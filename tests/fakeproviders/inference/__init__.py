"""Inference as the providers serve it: OpenAI's and Anthropic's protocols, a route a row in a provider's file."""
