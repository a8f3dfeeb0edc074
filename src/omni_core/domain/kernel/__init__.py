"""What every context shares: ids, money, time, pages, principals, errors, events and the unit of work."""
