"""What happened in a tenant, kept in order, and those who react to it: each event once, whatever fails."""
