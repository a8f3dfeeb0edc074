"""Budgets: how much a tenant or a key may spend in a day or a month, kept by all processes together."""
