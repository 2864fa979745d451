"""What people and programs put into forms, as data: each thing, the forms that it can reach, and what must become of it."""
