"""Lists for all users, as a file: batched, and resumed where it was broken off."""
