"""What a data set is like: its figures beside the paper's, and a page with plots."""
