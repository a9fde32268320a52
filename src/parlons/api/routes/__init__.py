"""One module a resource; each has a ``router`` whose routes name who may use them."""
