package outage

// Rivers are the messages of River that are swallowed, SteppingDown in an outage alone.
var Rivers = rivers

const SteppingDown = steppingDown
