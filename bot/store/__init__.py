"""The store: everything that must survive, behind one contract."""
