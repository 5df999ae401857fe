// Package timeout has the time-outs of what takes moments on a machine that has time for it.
// Builds for tests, whose machine may have none, can be told to wait for longer.
package timeout
