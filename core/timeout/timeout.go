// Package timeout lengthens time-outs in builds for tests, whose machine may have no time for
// what takes moments on others.
package timeout
