"""Others speak to qvmon: HTTP, and the only home of status codes and request authentication."""
