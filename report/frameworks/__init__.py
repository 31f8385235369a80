"""One net in every framework: what choosing a framework costs."""
