"""Invoices: what a tenant owes for its usage of a month, claimed once, rounded once a line, immutable when issued."""
