"""Records that are valid as they come, by context: a test names only what it is about.

Every call makes another one: ids, slugs, addresses and keys never repeat, within a run or between runs, and a later
one's id is the greater. The modules have their contexts' names: `builders.tenancy` has `a_tenant`.
"""
