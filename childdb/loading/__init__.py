"""Loading: landed batches into raw tables, together with their ledger rows."""
