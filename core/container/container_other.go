//go:build !linux

package container

import "context"

// Become does nothing: there are no such containers on this system.
func (Container) Become() error { return nil }

// HandedOver is false.
func (Container) HandedOver() bool { return false }

// StaysRoot is false.
func (Container) StaysRoot() bool { return false }

// HandOver does nothing.
func (Container) HandOver(context.Context, func(string)) error { return nil }

// Check finds nothing.
func (Container) Check(...string) error { return nil }

// CheckDatabase finds nothing.
func (Container) CheckDatabase(string) error { return nil }
