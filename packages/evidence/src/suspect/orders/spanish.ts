import type { SpokenOrders } from './spoken-orders.ts';

/** In the notation of `notation.ts`. */
export const SPANISH_ORDERS: SpokenOrders = {
  fields: 'ciudad|localidad|servicio|categoria|prioridad|urgencia|presupuesto|nombre',
  machines:
    'ordenador|computador|computadora|maquina|robot|bot|programa|programa informatico|software|sistema|algoritmo|ia|inteligencia artificial|grabadora|mecanografo|mecanografa|transcriptor|transcriptora|capturista',
  verbs:
    'apunta|apunte|anota|anote|pon|ponga|escribe|escriba|fija|fije|guarda|guarde|registra|registre|teclea|teclee|mete|meta|introduce|introduzca|actualiza|actualice|cambia|cambie|rellena|rellene|elige|elija|selecciona|seleccione|poner|registrar|escribir|anotar|guardar|recuerda',
  keepers: [
    '(quien|a quien|al que|el que|la que|a la que) (este|esta|quiera que)? (teclee|tecleando|teclea|escriba|escribiendo|rellene|rellenando|redacte|redactando|transcriba|introduzca|introduciendo|registre|registra|documente|meta|lleve) (esto|el informe|la ficha|el formulario|los datos|la llamada|las llamadas|el registro|los registros)',
    '(nota|mensaje|aviso|recado) para (el|la) (mecanografo|mecanografa|transcriptor|transcriptora|capturista)',
    '^ (para|a) (el|la) (mecanografo|mecanografa|transcriptor|transcriptora|capturista)',
  ],
  typists: ['(quien) (este)? (teclee|tecleando)'],
  told: [
    '^ (mecanografo|mecanografa|transcriptor|transcriptora|capturista)',
    '^ (al|a la) MACHINE',
    '(dile|digale|pide|pidele|pidale) (al|a la) (ordenador|computador|computadora|maquina|sistema|programa|robot)',
    '(quiero) que (el|la) (sistema|ordenador|computadora|programa)',
    '(el|la|su|tu) (ordenador|computadora|sistema|programa) (debe|tiene que|deberia)',
  ],
  called: [
    '(oye|hola|eh|vale|querido|querida|estimado|estimada|escucha) MACHINE',
    '^ MACHINE',
    '^ para (el|la) (ordenador|computador|computadora|maquina|sistema|programa|base de datos)',
  ],
  orders: [
    'VERB ~ como (la|el|mi)? FIELD',
    '(que)? VERB (la|el|mi)? FIELD (a|en|como|con)',
    'VERB que (la|el|mi)? FIELD (es|sea|son)',
    '(que)? (apunta|pon|escribe|guarda|registra|registre|anota|fija|teclea|mete|introduce|recuerda) (la|el|mi)? (ciudad|localidad|servicio|categoria|prioridad|urgencia|presupuesto)',
  ],
  corrected: ['(la|el|mi) FIELD (correcta|correcto|verdadera|verdadero|real|autentica)'],
  stated: [
    '(que)? (la|el|mi) (valor de)? FIELD (correcta|correcto|verdadera|verdadero)? (es|sera|debe ser|son|igual a)',
  ],
  alone: [
    'en (la|el)? (casilla|recuadro|columna) (de|del|de la)? FIELD VERB',
    'VERB ~ en (la|el)? (casilla|recuadro|columna) (de|del|de la)? FIELD',
    'casilla FIELD ~~ casilla FIELD',
    '(guarda|introduce|introducir|mete|escribe|registra) (ciudad|servicio|categoria|nombre) ~~ (guarda|introduce|introducir|mete|escribe|registra) (ciudad|servicio|categoria|nombre)',
    '(fin) (del registro|de la entrada|de la ficha) ¶',
  ],
};
