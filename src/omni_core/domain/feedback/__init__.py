"""What a tenant's customers report and wish for, and which of it they want most."""
