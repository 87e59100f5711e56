"""What `tests/aws/run` is made of. Standard library only, so that it runs wherever the aws CLI does."""
