"""What is known of photos: SQLite, which is the truth, and all the SQL there is."""
