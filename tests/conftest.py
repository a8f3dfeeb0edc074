"""Loaded before every test: the fixtures that more than one folder needs, and Hypothesis's profile."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.database", "tests.support.backends", "tests.support.timing"]

# A deadline is a stopwatch, and this machine may be busy; what is tested here is behaviour.
settings.register_profile("omni", deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("omni")
