"""Where profiles are kept: their entries, rules and preferences, and every change that was made to them."""
