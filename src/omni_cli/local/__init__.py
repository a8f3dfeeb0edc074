"""What `omni up` is made of: processes of this machine, started together and stopped together."""
