"""The blocks of the local engine: data blocks find scenes, processing blocks work on them."""
