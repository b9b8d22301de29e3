"""Lambda on this machine: what AWS keeps of functions, their invocations, and the processes that run them."""
