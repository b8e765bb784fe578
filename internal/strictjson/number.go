package strictjson

// NumberLength is the length of the longest JSON number (RFC 8259 §6) that s
// begins with, 0 where it begins with none.
func NumberLength(s string) int {
	sign := 0
	if s != "" && s[0] == '-' {
		sign = 1
	}
	whole := digitsLength(s[sign:])
	if whole == 0 {
		return 0
	}
	if s[sign] == '0' {
		whole = 1 // no leading zeros
	}
	n := sign + whole
	n += fractionLength(s[n:])
	return n + exponentLength(s[n:])
}

// IsNumber tells whether s is a JSON number and nothing else.
func IsNumber(s string) bool { return s != "" && NumberLength(s) == len(s) }

func fractionLength(s string) int {
	if s == "" || s[0] != '.' {
		return 0
	}
	if n := digitsLength(s[1:]); n > 0 {
		return 1 + n
	}
	return 0
}

func exponentLength(s string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	sign := 1
	if len(s) > 1 && (s[1] == '+' || s[1] == '-') {
		sign = 2
	}
	if n := digitsLength(s[sign:]); n > 0 {
		return sign + n
	}
	return 0
}

func digitsLength(s string) int {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}
