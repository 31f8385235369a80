"""Virtual environments made from hashed locks."""
