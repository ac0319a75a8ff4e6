"""What the end-to-end and the fault tests share: the stack, clients, the ledger, images, tokens."""
