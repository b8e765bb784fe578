package claims

// numberLength is the length of the longest JSON number that s begins with (RFC
// 8259 §6), 0 where it begins with none.
func numberLength(s string) int {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digits(s[i:])
	if whole == 0 {
		return 0
	}
	if s[i] == '0' {
		whole = 1 // no leading zeros
	}
	i += whole
	i += fraction(s[i:])
	return i + exponent(s[i:])
}

func isNumber(s string) bool { return s != "" && numberLength(s) == len(s) }

func fraction(s string) int {
	if s == "" || s[0] != '.' {
		return 0
	}
	if n := digits(s[1:]); n > 0 {
		return 1 + n
	}
	return 0
}

func exponent(s string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	i := 1
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if n := digits(s[i:]); n > 0 {
		return i + n
	}
	return 0
}

func digits(s string) int {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}
