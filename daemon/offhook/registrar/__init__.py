"""Who may register, and where each address of record is bound."""
