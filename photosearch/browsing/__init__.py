"""What there is to look through without a search: trips, this day in earlier years, and people."""
