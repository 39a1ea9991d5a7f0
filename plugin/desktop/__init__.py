"""What people see: the dock, its job form and jobs table, the map tools."""
