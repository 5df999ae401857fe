package outage

// Rivers are the messages of River that are suppressed, SteppingDown in an outage alone.
var Rivers = rivers

const SteppingDown = steppingDown
