"""What wraps every request, matched or not."""
