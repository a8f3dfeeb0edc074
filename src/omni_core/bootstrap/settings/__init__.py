"""Settings: where they come from, and what there is to set.

A variable of the environment beats `.env` of the working directory, which beats `omni.toml` (in OMNI_HOME, or where
OMNI_CONFIG says), which beats the default. In `omni.toml` a setting goes by its name, or stands in its context's table.
An empty variable counts as not set. docs/howto/settings.md lists all of them.
"""

from omni_core.bootstrap.settings.reader import Source, default_home
from omni_core.bootstrap.settings.section import InvalidSetting, Section, Setting
from omni_core.bootstrap.settings.values import SETTINGS, Settings, load, variable_of

__all__ = [
    "SETTINGS",
    "InvalidSetting",
    "Section",
    "Setting",
    "Settings",
    "Source",
    "default_home",
    "load",
    "variable_of",
]
