"""Conditions: which things are meant, as a tree that is asked in memory or in the database with one meaning."""
