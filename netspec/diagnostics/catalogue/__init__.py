"""What each diagnostic code means, one table a family of codes. No code that finds anything."""
