"""What the paper reports and claims (arXiv 2009.13249), as data to stand beside ours."""
