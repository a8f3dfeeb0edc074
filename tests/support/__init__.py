"""What several test folders share: the servers that tests start, and the backends that suites run on."""
