"""For tests of and with Omni: builders, stand-ins for vendors, and the contract suite of every port."""
