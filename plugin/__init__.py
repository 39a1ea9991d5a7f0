"""The plugin: rooms from the screen (`desktop`) down to the rules (`jobs`); imports run one way, down."""
