"""Open items of children and files: lists to the commune police, fix lists to communes, and what comes back."""
