"""Lists of words as files: what people have, and what they can take with them."""
