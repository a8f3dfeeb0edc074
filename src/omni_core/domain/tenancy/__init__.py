"""Tenants, their members, and the API keys by which programs act for them."""
