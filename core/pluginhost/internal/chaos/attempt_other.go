//go:build !linux

package main

func attemptAsProgram() {}

func attempt(string) string { return "refused: there is no sandbox here" }
