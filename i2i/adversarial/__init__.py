"""The adversarial game: objectives, stabilisers, and the duel that combines them."""
