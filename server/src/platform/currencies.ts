/**
 * ISO 4217, list one (178 codes, as amended until January 2026), and the withdrawn codes that books
 * of recent years still hold.
 *
 * The digits come from the standard and from nowhere else: ICU says 0 for HUF, IDR, COP and a dozen
 * others, and an amount read with the wrong exponent is wrong by a factor of a hundred.
 */
export interface Currency {
  readonly code: string
  /** Fraction digits of the minor unit. 0 where the standard names none (metals, units of account). */
  readonly digits: number
  readonly name: string
  /** False for funds, units of account, metals, test codes and withdrawn currencies. */
  readonly payable: boolean
  /** The month from which nothing is paid in it any more. Books that hold it stay readable. */
  readonly withdrawnOn?: string
}

export function findCurrency(code: string): Currency | undefined {
  return BY_CODE.get(code)
}

/** Throws for a code that is in no list: whoever stores a currency has checked it. */
export function digitsOf(code: string): number {
  const currency = BY_CODE.get(code)
  if (currency === undefined) throw new RangeError('unknown currency')
  return currency.digits
}

export function isPayable(code: string): boolean {
  return BY_CODE.get(code)?.payable === true
}

export function listCurrencies(): readonly Currency[] {
  return [...BY_CODE.values()]
}

const PAYABLE = true
const LISTED = false
const NONE = 0 // "N.A." in the standard

// oxfmt-ignore
const LIST_ONE: readonly (readonly [code: string, digits: number, payable: boolean, name: string])[] = [
  ['AED', 2, PAYABLE, 'UAE Dirham'],
  ['AFN', 2, PAYABLE, 'Afghani'],
  ['ALL', 2, PAYABLE, 'Lek'],
  ['AMD', 2, PAYABLE, 'Armenian Dram'],
  ['AOA', 2, PAYABLE, 'Kwanza'],
  ['ARS', 2, PAYABLE, 'Argentine Peso'],
  ['AUD', 2, PAYABLE, 'Australian Dollar'],
  ['AWG', 2, PAYABLE, 'Aruban Florin'],
  ['AZN', 2, PAYABLE, 'Azerbaijan Manat'],
  ['BAM', 2, PAYABLE, 'Convertible Mark'],
  ['BBD', 2, PAYABLE, 'Barbados Dollar'],
  ['BDT', 2, PAYABLE, 'Taka'],
  ['BHD', 3, PAYABLE, 'Bahraini Dinar'],
  ['BIF', 0, PAYABLE, 'Burundi Franc'],
  ['BMD', 2, PAYABLE, 'Bermudian Dollar'],
  ['BND', 2, PAYABLE, 'Brunei Dollar'],
  ['BOB', 2, PAYABLE, 'Boliviano'],
  ['BOV', 2, LISTED, 'Mvdol'],
  ['BRL', 2, PAYABLE, 'Brazilian Real'],
  ['BSD', 2, PAYABLE, 'Bahamian Dollar'],
  ['BTN', 2, PAYABLE, 'Ngultrum'],
  ['BWP', 2, PAYABLE, 'Pula'],
  ['BYN', 2, PAYABLE, 'Belarusian Ruble'],
  ['BZD', 2, PAYABLE, 'Belize Dollar'],
  ['CAD', 2, PAYABLE, 'Canadian Dollar'],
  ['CDF', 2, PAYABLE, 'Congolese Franc'],
  ['CHE', 2, LISTED, 'WIR Euro'],
  ['CHF', 2, PAYABLE, 'Swiss Franc'],
  ['CHW', 2, LISTED, 'WIR Franc'],
  ['CLF', 4, LISTED, 'Unidad de Fomento'],
  ['CLP', 0, PAYABLE, 'Chilean Peso'],
  ['CNY', 2, PAYABLE, 'Yuan Renminbi'],
  ['COP', 2, PAYABLE, 'Colombian Peso'],
  ['COU', 2, LISTED, 'Unidad de Valor Real'],
  ['CRC', 2, PAYABLE, 'Costa Rican Colon'],
  ['CUP', 2, PAYABLE, 'Cuban Peso'],
  ['CVE', 2, PAYABLE, 'Cabo Verde Escudo'],
  ['CZK', 2, PAYABLE, 'Czech Koruna'],
  ['DJF', 0, PAYABLE, 'Djibouti Franc'],
  ['DKK', 2, PAYABLE, 'Danish Krone'],
  ['DOP', 2, PAYABLE, 'Dominican Peso'],
  ['DZD', 2, PAYABLE, 'Algerian Dinar'],
  ['EGP', 2, PAYABLE, 'Egyptian Pound'],
  ['ERN', 2, PAYABLE, 'Nakfa'],
  ['ETB', 2, PAYABLE, 'Ethiopian Birr'],
  ['EUR', 2, PAYABLE, 'Euro'],
  ['FJD', 2, PAYABLE, 'Fiji Dollar'],
  ['FKP', 2, PAYABLE, 'Falkland Islands Pound'],
  ['GBP', 2, PAYABLE, 'Pound Sterling'],
  ['GEL', 2, PAYABLE, 'Lari'],
  ['GHS', 2, PAYABLE, 'Ghana Cedi'],
  ['GIP', 2, PAYABLE, 'Gibraltar Pound'],
  ['GMD', 2, PAYABLE, 'Dalasi'],
  ['GNF', 0, PAYABLE, 'Guinean Franc'],
  ['GTQ', 2, PAYABLE, 'Quetzal'],
  ['GYD', 2, PAYABLE, 'Guyana Dollar'],
  ['HKD', 2, PAYABLE, 'Hong Kong Dollar'],
  ['HNL', 2, PAYABLE, 'Lempira'],
  ['HTG', 2, PAYABLE, 'Gourde'],
  ['HUF', 2, PAYABLE, 'Forint'],
  ['IDR', 2, PAYABLE, 'Rupiah'],
  ['ILS', 2, PAYABLE, 'New Israeli Sheqel'],
  ['INR', 2, PAYABLE, 'Indian Rupee'],
  ['IQD', 3, PAYABLE, 'Iraqi Dinar'],
  ['IRR', 2, PAYABLE, 'Iranian Rial'],
  ['ISK', 0, PAYABLE, 'Iceland Krona'],
  ['JMD', 2, PAYABLE, 'Jamaican Dollar'],
  ['JOD', 3, PAYABLE, 'Jordanian Dinar'],
  ['JPY', 0, PAYABLE, 'Yen'],
  ['KES', 2, PAYABLE, 'Kenyan Shilling'],
  ['KGS', 2, PAYABLE, 'Som'],
  ['KHR', 2, PAYABLE, 'Riel'],
  ['KMF', 0, PAYABLE, 'Comorian Franc'],
  ['KPW', 2, PAYABLE, 'North Korean Won'],
  ['KRW', 0, PAYABLE, 'Won'],
  ['KWD', 3, PAYABLE, 'Kuwaiti Dinar'],
  ['KYD', 2, PAYABLE, 'Cayman Islands Dollar'],
  ['KZT', 2, PAYABLE, 'Tenge'],
  ['LAK', 2, PAYABLE, 'Lao Kip'],
  ['LBP', 2, PAYABLE, 'Lebanese Pound'],
  ['LKR', 2, PAYABLE, 'Sri Lanka Rupee'],
  ['LRD', 2, PAYABLE, 'Liberian Dollar'],
  ['LSL', 2, PAYABLE, 'Loti'],
  ['LYD', 3, PAYABLE, 'Libyan Dinar'],
  ['MAD', 2, PAYABLE, 'Moroccan Dirham'],
  ['MDL', 2, PAYABLE, 'Moldovan Leu'],
  ['MGA', 2, PAYABLE, 'Malagasy Ariary'],
  ['MKD', 2, PAYABLE, 'Denar'],
  ['MMK', 2, PAYABLE, 'Kyat'],
  ['MNT', 2, PAYABLE, 'Tugrik'],
  ['MOP', 2, PAYABLE, 'Pataca'],
  ['MRU', 2, PAYABLE, 'Ouguiya'],
  ['MUR', 2, PAYABLE, 'Mauritius Rupee'],
  ['MVR', 2, PAYABLE, 'Rufiyaa'],
  ['MWK', 2, PAYABLE, 'Malawi Kwacha'],
  ['MXN', 2, PAYABLE, 'Mexican Peso'],
  ['MXV', 2, LISTED, 'Mexican Unidad de Inversion'],
  ['MYR', 2, PAYABLE, 'Malaysian Ringgit'],
  ['MZN', 2, PAYABLE, 'Mozambique Metical'],
  ['NAD', 2, PAYABLE, 'Namibia Dollar'],
  ['NGN', 2, PAYABLE, 'Naira'],
  ['NIO', 2, PAYABLE, 'Cordoba Oro'],
  ['NOK', 2, PAYABLE, 'Norwegian Krone'],
  ['NPR', 2, PAYABLE, 'Nepalese Rupee'],
  ['NZD', 2, PAYABLE, 'New Zealand Dollar'],
  ['OMR', 3, PAYABLE, 'Rial Omani'],
  ['PAB', 2, PAYABLE, 'Balboa'],
  ['PEN', 2, PAYABLE, 'Sol'],
  ['PGK', 2, PAYABLE, 'Kina'],
  ['PHP', 2, PAYABLE, 'Philippine Peso'],
  ['PKR', 2, PAYABLE, 'Pakistan Rupee'],
  ['PLN', 2, PAYABLE, 'Zloty'],
  ['PYG', 0, PAYABLE, 'Guarani'],
  ['QAR', 2, PAYABLE, 'Qatari Rial'],
  ['RON', 2, PAYABLE, 'Romanian Leu'],
  ['RSD', 2, PAYABLE, 'Serbian Dinar'],
  ['RUB', 2, PAYABLE, 'Russian Ruble'],
  ['RWF', 0, PAYABLE, 'Rwanda Franc'],
  ['SAR', 2, PAYABLE, 'Saudi Riyal'],
  ['SBD', 2, PAYABLE, 'Solomon Islands Dollar'],
  ['SCR', 2, PAYABLE, 'Seychelles Rupee'],
  ['SDG', 2, PAYABLE, 'Sudanese Pound'],
  ['SEK', 2, PAYABLE, 'Swedish Krona'],
  ['SGD', 2, PAYABLE, 'Singapore Dollar'],
  ['SHP', 2, PAYABLE, 'Saint Helena Pound'],
  ['SLE', 2, PAYABLE, 'Leone'],
  ['SOS', 2, PAYABLE, 'Somali Shilling'],
  ['SRD', 2, PAYABLE, 'Surinam Dollar'],
  ['SSP', 2, PAYABLE, 'South Sudanese Pound'],
  ['STN', 2, PAYABLE, 'Dobra'],
  ['SVC', 2, PAYABLE, 'El Salvador Colon'],
  ['SYP', 2, PAYABLE, 'Syrian Pound'],
  ['SZL', 2, PAYABLE, 'Lilangeni'],
  ['THB', 2, PAYABLE, 'Baht'],
  ['TJS', 2, PAYABLE, 'Somoni'],
  ['TMT', 2, PAYABLE, 'Turkmenistan New Manat'],
  ['TND', 3, PAYABLE, 'Tunisian Dinar'],
  ['TOP', 2, PAYABLE, "Pa'anga"],
  ['TRY', 2, PAYABLE, 'Turkish Lira'],
  ['TTD', 2, PAYABLE, 'Trinidad and Tobago Dollar'],
  ['TWD', 2, PAYABLE, 'New Taiwan Dollar'],
  ['TZS', 2, PAYABLE, 'Tanzanian Shilling'],
  ['UAH', 2, PAYABLE, 'Hryvnia'],
  ['UGX', 0, PAYABLE, 'Uganda Shilling'],
  ['USD', 2, PAYABLE, 'US Dollar'],
  ['USN', 2, LISTED, 'US Dollar (Next day)'],
  ['UYI', 0, LISTED, 'Uruguay Peso en Unidades Indexadas'],
  ['UYU', 2, PAYABLE, 'Peso Uruguayo'],
  ['UYW', 4, LISTED, 'Unidad Previsional'],
  ['UZS', 2, PAYABLE, 'Uzbekistan Sum'],
  ['VED', 2, PAYABLE, 'Bolívar Digital'],
  ['VES', 2, PAYABLE, 'Bolívar Soberano'],
  ['VND', 0, PAYABLE, 'Dong'],
  ['VUV', 0, PAYABLE, 'Vatu'],
  ['WST', 2, PAYABLE, 'Tala'],
  ['XAD', 2, LISTED, 'Arab Accounting Dinar'],
  ['XAF', 0, PAYABLE, 'CFA Franc BEAC'],
  ['XAG', NONE, LISTED, 'Silver'],
  ['XAU', NONE, LISTED, 'Gold'],
  ['XBA', NONE, LISTED, 'European Composite Unit'],
  ['XBB', NONE, LISTED, 'European Monetary Unit'],
  ['XBC', NONE, LISTED, 'European Unit of Account 9'],
  ['XBD', NONE, LISTED, 'European Unit of Account 17'],
  ['XCD', 2, PAYABLE, 'East Caribbean Dollar'],
  ['XCG', 2, PAYABLE, 'Caribbean Guilder'],
  ['XDR', NONE, LISTED, 'Special Drawing Right'],
  ['XOF', 0, PAYABLE, 'CFA Franc BCEAO'],
  ['XPD', NONE, LISTED, 'Palladium'],
  ['XPF', 0, PAYABLE, 'CFP Franc'],
  ['XPT', NONE, LISTED, 'Platinum'],
  ['XSU', NONE, LISTED, 'Sucre'],
  ['XTS', NONE, LISTED, 'Test code'],
  ['XUA', NONE, LISTED, 'ADB Unit of Account'],
  ['XXX', NONE, LISTED, 'No currency'],
  ['YER', 2, PAYABLE, 'Yemeni Rial'],
  ['ZAR', 2, PAYABLE, 'Rand'],
  ['ZMW', 2, PAYABLE, 'Zambian Kwacha'],
  ['ZWG', 2, PAYABLE, 'Zimbabwe Gold'],
]

// oxfmt-ignore
const WITHDRAWN: readonly (readonly [code: string, digits: number, month: string, name: string])[] = [
  ['ANG', 2, '2025-07', 'Netherlands Antillean Guilder'], // XCG
  ['BGN', 2, '2026-01', 'Bulgarian Lev'],                 // EUR
  ['CUC', 2, '2021-07', 'Peso Convertible'],              // CUP
  ['HRK', 2, '2023-01', 'Kuna'],                          // EUR
  ['SLL', 2, '2024-01', 'Leone (old)'],                   // SLE
  ['ZWL', 2, '2024-09', 'Zimbabwe Dollar'],               // ZWG
]

const BY_CODE: ReadonlyMap<string, Currency> = new Map([
  ...LIST_ONE.map(
    ([code, digits, payable, name]) => [code, { code, digits, name, payable }] as const,
  ),
  ...WITHDRAWN.map(
    ([code, digits, withdrawnOn, name]) =>
      [code, { code, digits, name, payable: false, withdrawnOn }] as const,
  ),
])
