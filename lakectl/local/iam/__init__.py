"""IAM, enforced: who calls, what the call needs, whether the policies grant it, and AWS's refusal when they don't."""
