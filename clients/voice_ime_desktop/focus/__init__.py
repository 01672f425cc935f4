"""What has the focus."""
