"""Static quantisation: convolutions by 8-bit numbers, data kept in 8 bits between them."""
