package outage

// Rivers are the messages of River that are swallowed.
var Rivers = rivers
